// Densities of the mixture in one or two of the drawn coordinates, and lines of equal density.

/**
 * Density of one component along coordinate i. One with tails is a t distribution, also along any
 * coordinate, of the same degrees of freedom.
 */
export function densityAlong(value, { mean, covariance, tails }, i) {
  const variance = covariance[i][i];
  const height = tails ? tails.peak : 1 / Math.sqrt(2 * Math.PI);
  return (height * fall((value - mean[i]) ** 2 / variance, tails, 1)) / Math.sqrt(variance);
}

/** The density at a squared distance from the mean as a share of its peak, in that many coordinates. */
function fall(squared, tails, dimension) {
  if (!tails) return Math.exp(-0.5 * squared);
  return (1 + squared / tails.degrees) ** (-0.5 * (tails.degrees + dimension));
}

/** The mixture on a grid over the visible part of a panel. */
export function mixtureGrid(components, [i, j], rangeX, rangeY, columns, rows) {
  const values = new Float64Array(columns * rows);
  for (const { weight, mean, covariance, tails } of components) {
    const [sxx, sxy, syy] = [covariance[i][i], covariance[i][j], covariance[j][j]];
    const determinant = sxx * syy - sxy * sxy;
    if (!(determinant > 0)) continue;
    // At its mean a t density in two coordinates is as high as the Gaussian, whatever its tails.
    const scale = weight / (2 * Math.PI * Math.sqrt(determinant));
    for (let row = 0; row < rows; row++) {
      const dy = rangeY[0] + (row / (rows - 1)) * (rangeY[1] - rangeY[0]) - mean[j];
      for (let column = 0; column < columns; column++) {
        const dx = rangeX[0] + (column / (columns - 1)) * (rangeX[1] - rangeX[0]) - mean[i];
        const squared = (syy * dx * dx - 2 * sxy * dx * dy + sxx * dy * dy) / determinant;
        values[row * columns + column] += scale * fall(squared, tails, 2);
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
