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
  return room > 0 ? `${name.slice(0, room)}…${rest}` : `…${rest.slice(0, most - 1)}`;
}
