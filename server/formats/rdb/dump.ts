// DUMP payloads: type byte, value, version (u16 LE), CRC64 of all before it (8 bytes, little-endian).
// RdbWriter.dumpFooter() ends one; RdbReader.readValue() reads what dumpBody() finds sound.

import { Crc64 } from '../../base/crc64.ts';

const FOOTER_BYTES = 10;

/**
 * The end of type byte and value in `payload[start..end)`, or -1 when it is too short, of a version above `versionMax`, or
 * when the checksum differs (`checkSum` false: not looked at).
 */
export function dumpBodyEnd(
  payload: Uint8Array,
  start: number,
  end: number,
  versionMax: number,
  checkSum: boolean,
): number {
  const footer = end - FOOTER_BYTES;
  if (footer < start) return -1;
  const version = payload[footer] | (payload[footer + 1] << 8);
  if (version > versionMax) return -1;
  if (!checkSum) return footer;
  const crc = new Crc64();
  crc.update(payload, start, footer + 2);
  return crc.matches(payload, footer + 2) ? footer : -1;
}
