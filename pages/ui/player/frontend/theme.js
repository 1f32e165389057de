// Colours: read from Streamlit's CSS variables, so that light, dark and a person's own theme all work.

const FALLBACK = [
  "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9",
  "#d55e00", "#8172b3", "#a6761d", "#4d8f2a", "#7f7f7f",
];

export function readTheme(element) {
  const style = getComputedStyle(element);
  const read = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  const text = read("--st-text-color", "#31333f");
  const background = read("--st-background-color", "#ffffff");
  const between = (share) => css(rgb(text).map((ink, i) => share * ink + (1 - share) * rgb(background)[i]));
  const categorical = splitColours(read("--st-chart-categorical-colors", ""));
  const palette = categorical.length ? categorical : FALLBACK;
  return {
    text,
    background,
    primary: read("--st-primary-color", "#0072b2"),
    border: read("--st-border-color", "rgba(128,128,128,0.3)"),
    font: read("--st-font", "sans-serif"),
    grey: between(0.42),
    faint: between(0.1),
    muted: between(0.68),
    colour: (k) => palette[k % palette.length],
    // Lines must stand out from points of their own colour.
    lineColour: (k) => css(rgb(palette[k % palette.length]).map((c, i) => 0.72 * c + 0.28 * rgb(text)[i])),
  };
}

/** The variable is a list that may hold commas inside rgb(...), or a JSON array. */
function splitColours(list) {
  return list.match(/#[0-9a-f]{3,8}|[a-z]+\([^)]*\)/gi) ?? [];
}

const probe = Object.assign(document.createElement("canvas"), { width: 1, height: 1 })
  .getContext("2d", { willReadFrequently: true });
const known = new Map();

/** Any CSS colour as [red, green, blue]. */
export function rgb(colour) {
  if (!known.has(colour)) known.set(colour, fromHex(colour) ?? fromCanvas(colour));
  return known.get(colour);
}

function fromHex(colour) {
  const digits = /^#(..)(..)(..)$/.exec(colour);
  return digits && digits.slice(1).map((pair) => Number.parseInt(pair, 16));
}

/** The browser knows every way to write a colour, but takes its time. */
function fromCanvas(colour) {
  probe.fillStyle = "#000";
  probe.fillStyle = colour;
  probe.fillRect(0, 0, 1, 1);
  return [...probe.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

/** Mixed by light, not by code value: halfway between two hues stays as bright as they are. */
export function mix(a, b, share) {
  return a.map((value, i) => Math.sqrt(share * value * value + (1 - share) * b[i] * b[i]));
}

export function css(colour, alpha = 1) {
  return `rgba(${colour.map(Math.round).join(",")},${alpha})`;
}

export function fade(colour, alpha) {
  return css(rgb(colour), alpha);
}

/** Black or white, whichever reads better on a colour. */
export function inkOn(colour) {
  const [r, g, b] = rgb(colour);
  return 0.299 * r + 0.587 * g + 0.114 * b > 150 ? "#111111" : "#ffffff";
}

/**
 * The colour of a point for every (first, second, level), as a pixel: blue, green and red from the top.
 * "blended" mixes the two most responsible components, "certainty" greys out the doubtful points.
 */
export function pointColours(theme, mode, nComponents, levels) {
  const table = new Int32Array(nComponents * nComponents * levels);
  const colours = Array.from({ length: nComponents }, (_, k) => rgb(theme.colour(k)));
  const grey = rgb(theme.grey);
  let at = 0;
  for (let first = 0; first < nComponents; first++) {
    for (let second = 0; second < nComponents; second++) {
      for (let level = 0; level < levels; level++) {
        const responsibility = level / (levels - 1);
        const doubtless = (responsibility - 1 / nComponents) / (1 - 1 / nComponents || 1);
        const colour =
          mode === "blended"
            ? mix(colours[first], colours[second], Math.max(responsibility, 0.5))
            : mix(colours[first], grey, nComponents === 1 ? 1 : Math.max(0, doubtless) ** 1.5);
        const [red, green, blue] = colour.map(Math.round);
        table[at++] = red | (green << 8) | (blue << 16);
      }
    }
  }
  return table;
}
