// Numbers as the page writes them: the rules of `number`, `nats`, `gap` and `percent` in pages/ui/text.py, digit for digit.

const MINUS = "−";
const POWERS_WRITTEN_OUT = [-4, 15]; // from 10 to the first of these powers to below the second
const TOUCH = 1e-12; // the bound touches the log-likelihood where it is no more than this share below
const MOST_DIGITS = 100; // that the browser tells of a number: more than rounding to 20 needs

/** A number in so many significant digits, or as many as its whole part takes: 12,821 and 0.0012 and ∞. */
export function number(value, digits = 5, signed = false) {
  if (Number.isNaN(value)) return "missing";
  const size = Math.abs(value);
  const sign = value < 0 ? MINUS : signed && !Object.is(value, -0) ? "+" : "";
  if (size === Infinity) return `${sign}∞`;
  if (size === 0) return "0";
  const { units, power } = significant(size, digits);
  if (power >= POWERS_WRITTEN_OUT[0] && power < POWERS_WRITTEN_OUT[1]) {
    return sign + shortened(fixed(size, Math.max(digits - 1 - power, 0)));
  }
  const mantissa = shortened(placed(units, digits - 1));
  return `${sign}${mantissa} × 10${String(power).replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]))}`;
}

/** Whether a positive number is written without a power of ten. */
export function isWrittenOut(size) {
  return size >= 10 ** POWERS_WRITTEN_OUT[0] && size < 10 ** POWERS_WRITTEN_OUT[1];
}

/** A log-likelihood, or with its sign a gain, to as many digits as mean something. */
export function nats(value, signed = false) {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || (size > 0 && size < 1e-3)) return number(value, 2, signed);
  const sign = value < 0 ? MINUS : signed ? "+" : "";
  return sign + fixed(size, size >= 1 || size === 0 ? 2 : 4);
}

/** KL(q || posterior) between a bound and its log-likelihood: 0 where they touch, up to rounding. */
export function gap(elbo, logLikelihood) {
  const kl = logLikelihood - elbo;
  return kl <= TOUCH * Math.max(Math.abs(logLikelihood), 1) ? "0" : nats(kl);
}

/** A share from 0 to 1: "31 %". */
export function percent(share, digits = 0) {
  return `${fixed(100 * share, digits, "")}\u00a0%`;
}

/** A number that was read off a scale of this length, four digits across it. */
export function readOff(value, length) {
  const decimals = Math.min(MOST_DIGITS, Math.max(0, 3 - Math.floor(Math.log10(Math.abs(length) || 1))));
  return number(Number(value.toFixed(decimals)), 15);
}

/** All digits of a positive number that is not infinite, and the power of ten of the first. */
function exact(size) {
  const [mantissa, power] = size.toExponential(MOST_DIGITS).split("e");
  return { digits: mantissa.replace(".", ""), power: Number(power) };
}

/** The first `keep` of some digits as a whole number, rounded; half to even. */
function rounded(digits, keep) {
  if (keep < 0) return 0n;
  const units = BigInt(digits.slice(0, keep) || "0");
  const rest = digits.slice(keep).padEnd(1, "0");
  const half = `5${"0".repeat(rest.length - 1)}`;
  return rest > half || (rest === half && units % 2n === 1n) ? units + 1n : units;
}

/** A positive number as `units` of so many digits, and the power of ten of the first. */
function significant(size, digits) {
  const all = exact(size);
  const units = rounded(all.digits, digits);
  const carried = String(units).length > digits;
  return carried ? { units: units / 10n, power: all.power + 1 } : { units, power: all.power };
}

/** A number from 0 on with so many decimals, and separators between thousands. */
function fixed(size, decimals, separator = ",") {
  if (size === 0) return placed(0n, decimals, separator);
  const whole = size >= 2 ** 53; // then it has no decimals, and more digits than were asked for
  const { digits, power } = exact(size);
  const units = whole ? BigInt(size) * 10n ** BigInt(decimals) : rounded(digits, power + 1 + decimals);
  return placed(units, decimals, separator);
}

/** A whole number of units with the point so many digits from the right. */
function placed(units, decimals, separator = ",") {
  const all = String(units).padStart(decimals + 1, "0");
  const whole = all.slice(0, all.length - decimals).replace(/\B(?=(\d{3})+$)/g, separator);
  return decimals ? `${whole}.${all.slice(-decimals)}` : whole;
}

/** Without zeros at the end of what follows the point. */
function shortened(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
