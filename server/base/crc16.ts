// CRC-16/XMODEM (polynomial 0x1021, start 0, not reflected): the hash behind the 16384 key slots.

let sharedTable: Uint16Array | undefined;

/** CRC of `buf[start..end)` as 0..65535; "123456789" gives 0x31c3. */
export function crc16(buf: Uint8Array, start = 0, end = buf.length): number {
  sharedTable ??= buildTable();
  const table = sharedTable;
  let crc = 0;
  for (let i = start; i < end; i++) crc = ((crc << 8) ^ table[((crc >>> 8) ^ buf[i]) & 255]) & 0xffff;
  return crc;
}

function buildTable(): Uint16Array {
  const entries = new Uint16Array(256);
  for (let value = 0; value < 256; value++) {
    let crc = value << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    entries[value] = crc;
  }
  return entries;
}
