// Densities of the mixture in one or two of the drawn coordinates, and lines of equal density.

/** Density of one component along one coordinate. */
export function normalDensity(value, mean, variance) {
  return Math.exp((-0.5 * (value - mean) ** 2) / variance) / Math.sqrt(2 * Math.PI * variance);
}

/** The mixture on a grid over the visible part of a panel. */
export function mixtureGrid(components, [i, j], rangeX, rangeY, columns, rows) {
  const values = new Float64Array(columns * rows);
  for (const { weight, mean, covariance } of components) {
    const [sxx, sxy, syy] = [covariance[i][i], covariance[i][j], covariance[j][j]];
    const determinant = sxx * syy - sxy * sxy;
    if (!(determinant > 0)) continue;
    const scale = weight / (2 * Math.PI * Math.sqrt(determinant));
    for (let row = 0; row < rows; row++) {
      const dy = rangeY[0] + (row / (rows - 1)) * (rangeY[1] - rangeY[0]) - mean[j];
      for (let column = 0; column < columns; column++) {
        const dx = rangeX[0] + (column / (columns - 1)) * (rangeX[1] - rangeX[0]) - mean[i];
        const squared = (syy * dx * dx - 2 * sxy * dx * dy + sxx * dy * dy) / determinant;
        values[row * columns + column] += scale * Math.exp(-0.5 * squared);
      }
    }
  }
  return { values, columns, rows, peak: values.reduce((a, b) => Math.max(a, b), 0) };
}

/** Marching squares: line pieces in grid units. */
export function contourSegments({ values, columns, rows }, level) {
  const segments = [];
  const crossing = (a, b) => (level - a) / (b - a);
  for (let row = 0; row < rows - 1; row++) {
    for (let column = 0; column < columns - 1; column++) {
      const at = row * columns + column;
      const corners = [values[at], values[at + 1], values[at + columns + 1], values[at + columns]];
      const [a, b, c, d] = corners;
      const above = corners.map((value) => value >= level);
      const ends = [];
      if (above[0] !== above[1]) ends.push([column + crossing(a, b), row]);
      if (above[1] !== above[2]) ends.push([column + 1, row + crossing(b, c)]);
      if (above[3] !== above[2]) ends.push([column + crossing(d, c), row + 1]);
      if (above[0] !== above[3]) ends.push([column, row + crossing(a, d)]);
      for (let e = 0; e + 1 < ends.length; e += 2) segments.push([...ends[e], ...ends[e + 1]]);
    }
  }
  return segments;
}

const TURN = Array.from({ length: 49 }, (_, i) => (2 * Math.PI * i) / 48);

/** The ellipse at `sigmas` standard deviations in coordinates i and j: the edge of a projection. */
export function ellipse({ mean, covariance }, [i, j], sigmas) {
  const lxx = Math.sqrt(Math.max(covariance[i][i], 0));
  const lyx = lxx > 0 ? covariance[i][j] / lxx : 0;
  const lyy = Math.sqrt(Math.max(covariance[j][j] - lyx * lyx, 0));
  return {
    x: TURN.map((t) => mean[i] + sigmas * lxx * Math.cos(t)),
    y: TURN.map((t) => mean[j] + sigmas * (lyx * Math.cos(t) + lyy * Math.sin(t))),
  };
}
