/**
 * The server's noise of a seed, made here: what is interpolated must be known as numbers.
 *
 * A port of bundle/noise.py: Philox-4x64 (Salmon et al., 2011, "Parallel random numbers: as easy as 1, 2, 3"), then
 * Box-Muller. Uniforms are the server's to the bit; the last bit of a normal may differ, as logarithms and cosines do.
 */

const WORD = (1n << 64n) - 1n;
const MULTIPLIERS = [0xd2e7470ee14c6c93n, 0xca5a826395121157n];
const WEYL = [0x9e3779b97f4a7c15n, 0xbb67ae8584caa73bn];
const ROUNDS = 10;

/**
 * The noise of one row of a request.
 *
 * @param {number | bigint} seed
 * @param {{ name: string, shape: number[], prior: "normal" | "uniform" }} latent As `GET /models` describes it.
 * @param {number} [row]
 * @returns {Float32Array} Flat: the product of `shape` numbers.
 */
export function noiseOf(seed, { name, shape, prior }, row = 0) {
  const size = shape.reduce((product, side) => product * side, 1);
  const uniforms = uniformsOf([BigInt(seed), BigInt(crc32(name))], BigInt(row), size + (size % 2));
  if (prior === "uniform") {
    // Rounding to float32 could reach 1, which the server never draws and does not take.
    return Float32Array.from(uniforms.slice(0, size), (u) => Math.min(Math.max(Math.fround(u), 2 ** -24), 1 - 2 ** -24));
  }
  const normals = new Float32Array(size + 1);
  for (let i = 0; i < size; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniforms[i]));
    const angle = 2 * Math.PI * uniforms[i + 1];
    normals[i] = radius * Math.cos(angle);
    normals[i + 1] = radius * Math.sin(angle);
  }
  return normals.slice(0, size);
}

function uniformsOf(key, row, count) {
  const uniforms = [];
  for (let block = 1n; uniforms.length < count; block += 1n) {
    for (const word of philox([block, 0n, 0n, row], key)) {
      uniforms.push((Number(word >> 11n) + 0.5) / 2 ** 53); // inside (0, 1): the logarithm is finite
    }
  }
  return uniforms;
}

/** Four random words from a counter of four and a key of two. */
function philox([a, b, c, d], [k, l]) {
  for (let round = 0; round < ROUNDS; round += 1) {
    const left = MULTIPLIERS[0] * a;
    const right = MULTIPLIERS[1] * c;
    [a, b, c, d] = [(right >> 64n) ^ b ^ k, right & WORD, (left >> 64n) ^ d ^ l, left & WORD];
    [k, l] = [(k + WEYL[0]) & WORD, (l + WEYL[1]) & WORD];
  }
  return [a, b, c, d];
}

/** CRC-32 of a name in UTF-8, as zlib has it. */
function crc32(text) {
  let crc = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/**
 * A place on the way from one noise to another.
 *
 * Between normals it goes along the arc: in many dimensions all noise is about equally long, and the middle of a
 * straight line would be shorter than anything that the model was trained with. Between uniforms it is a straight line.
 *
 * @param {Float32Array} from
 * @param {Float32Array} to
 * @param {number} way From 0 to 1.
 * @param {"normal" | "uniform"} prior
 */
export function between(from, to, way, prior) {
  const angle = prior === "normal" ? angleOf(from, to) : 0;
  const straight = Math.sin(angle) < 1e-6; // the same direction, or the opposite one
  const share = (part) => (straight ? part : Math.sin(part * angle) / Math.sin(angle));
  return from.map((value, index) => share(1 - way) * value + share(way) * to[index]);
}

function angleOf(from, to) {
  const dot = (u, v) => u.reduce((sum, value, index) => sum + value * v[index], 0);
  const cosine = dot(from, to) / Math.sqrt(dot(from, from) * dot(to, to));
  return Math.acos(Math.min(1, Math.max(-1, cosine)));
}

/** A row's flat numbers as the nested lists that a request has for it. */
export function nested(numbers, shape) {
  if (shape.length <= 1) return Array.from(numbers);
  const size = numbers.length / shape[0];
  return Array.from({ length: shape[0] }, (_, i) => nested(numbers.subarray(i * size, (i + 1) * size), shape.slice(1)));
}
