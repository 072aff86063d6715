/** A grey PNG of given bytes. A browser's own canvas writes colours only, and a mask has to be grey. */

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const GREY_8_BITS = [8, 0, 0, 0, 0]; // depth, colour type, and the only compression, filter and interlace methods

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/**
 * @param {Uint8Array} pixels Row by row, 0 is black.
 * @param {{ height: number, width: number }} size
 * @returns {Promise<Blob>}
 */
export async function greyPng(pixels, { height, width }) {
  const rows = new Uint8Array(height * (width + 1)); // each begins with the number of its filter: 0, none
  for (let y = 0; y < height; y += 1) rows.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const packed = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  const parts = [
    new Uint8Array(SIGNATURE),
    chunk("IHDR", [...int32(width), ...int32(height), ...GREY_8_BITS]),
    chunk("IDAT", new Uint8Array(await new Response(packed).arrayBuffer())),
    chunk("IEND", []),
  ];
  return new Blob(parts, { type: "image/png" });
}

function chunk(name, content) {
  const body = new Uint8Array([...name].map((letter) => letter.charCodeAt(0)).concat(...content));
  let crc = 0xffffffff;
  for (const byte of body) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8);
  return new Uint8Array([...int32(content.length), ...body, ...int32(~crc)]);
}

function int32(value) {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
}
