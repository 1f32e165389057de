// Names beside axes, cut to the room there is, so that different names stay different.

/**
 * Each name in at most `most` letters. Where two would become one, they keep the word in which they
 * differ; where that is not enough, all of it.
 */
export function shortened(names, most) {
  const cut = names.map((name) => (name.length > most ? `${name.slice(0, most - 1)}…` : name));
  const distinct = names.map((name, i) => {
    const rivals = names.filter((other, j) => cut[j] === cut[i] && other !== name);
    return rivals.length ? fromTheDifference(name, rivals, most) : cut[i];
  });
  return distinct.map((short, i) => (distinct.some((other, j) => other === short && names[j] !== names[i]) ? names[i] : short));
}

/** A name as "start … rest", the rest being from the first word on in which it differs from others. */
function fromTheDifference(name, others, most) {
  let same = 0;
  while (same < name.length && others.every((other) => other[same] === name[same])) same++;
  const rest = name.slice(name.lastIndexOf(" ", same) + 1);
  const room = most - rest.length - 1;
  if (room >= 0) return `${name.slice(0, room)}…${rest}`;
  return `…${rest.slice(0, most - 2)}…`;
}

/**
 * Names {left, top, width} of one line each, `top` being its middle, moved so that they are within
 * an area and none is over another; without those for which there is no room.
 */
export function apart(names, area, line) {
  const placed = [];
  for (const name of [...names].sort((a, b) => a.top - b.top)) {
    const left = Math.max(area.left, Math.min(name.left, area.right - name.width));
    const isFree = (top) =>
      top - line / 2 >= area.top &&
      top + line / 2 <= area.bottom &&
      placed.every((p) => Math.abs(p.top - top) >= line || p.left >= left + name.width || left >= p.left + p.width);
    const wanted = Math.max(area.top + line / 2, Math.min(name.top, area.bottom - line / 2));
    // The nearest free line among where it would be and just below or above the others.
    const tops = [wanted, ...placed.flatMap((p) => [p.top + line, p.top - line])].filter(isFree);
    if (!tops.length) continue;
    const top = tops.reduce((best, other) => (Math.abs(other - wanted) < Math.abs(best - wanted) ? other : best));
    placed.push({ ...name, left, top });
  }
  return placed;
}
