/** In which order sources that come in any order agree best with those before. */

/**
 * Find the order of an estimate in which its squared difference from a reference is least.
 *
 * @param {number[][]} products [r][e]: sum of reference r times estimate e, over all samples
 * @returns {number[]} indices of estimates; where several orders are as good, the first of them
 */
export function bestOrder(products) {
  let best = null;
  let most = -Infinity;
  for (const order of permutations(products.length)) {
    const agreement = order.reduce((sum, taken, index) => sum + products[index][taken], 0);
    if (agreement > most) [best, most] = [order, agreement];
  }
  return best;
}

/** Orders of 0 to count - 1, sorted. */
function* permutations(count, taken = []) {
  if (taken.length === count) yield taken;
  for (let index = 0; index < count; index++) {
    if (!taken.includes(index)) yield* permutations(count, [...taken, index]);
  }
}
