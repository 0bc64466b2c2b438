// The receipt of an installation: everything that was made, with a hash for each file, so that removing is exact.
import { OpsError } from '../errors.ts';
import type { Host } from '../host/host.ts';

export interface ReceiptEntry {
  readonly path: string;
  readonly kind: 'file' | 'link' | 'directory' | 'touch';
  /** Of the content as written; of the target for a link; '' for the others. */
  readonly sha256: string;
  /** Shared with other instances (the program): removed with the last of them. */
  readonly shared: boolean;
}

/** What was answered, so that the next run of setup starts from it. Holds no secrets. */
interface ReceiptAnswers {
  readonly confFile: string;
  readonly logFile: string;
  readonly dataDirectory: string;
  /** Undefined: the bundled server. */
  readonly executable?: string | undefined;
  readonly bind: readonly string[];
  /** Further directives: name and arguments. */
  readonly settings: readonly (readonly [string, readonly string[]])[];
  readonly minimal: boolean;
}

export interface Receipt {
  readonly format: 1;
  readonly port: number;
  readonly service: string;
  readonly version: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly answers: ReceiptAnswers;
  readonly entries: readonly ReceiptEntry[];
  /** The system user that setup created; undefined when it was there. */
  readonly createdUser?: string | undefined;
}

/** The receipt at a path; undefined when there is none. Throws receipt-missing when it cannot be understood. */
export function readReceipt(host: Host, path: string): Receipt | undefined {
  const text = host.readText(path);
  if (text === undefined) return undefined;
  try {
    const receipt = JSON.parse(text) as Receipt;
    if (receipt.format === 1 && Array.isArray(receipt.entries)) return receipt;
  } catch {
    // Reported below: half a receipt must not look like none.
  }
  throw new OpsError('receipt-missing', { path: `${path} that can be read` });
}

export const receiptText = (receipt: Receipt): string => `${JSON.stringify(receipt, null, 2)}\n`;

/** The hash that the receipt has for a file. */
export function recordedHash(receipt: Receipt | undefined, path: string): string | undefined {
  return receipt?.entries.find((entry) => entry.path === path && entry.kind === 'file')?.sha256;
}

/** What an instance that stays takes over from one that goes: the shared program files and the user. */
export function inherit(heir: Receipt, leaving: Receipt): Receipt {
  const has = (path: string) => heir.entries.some((entry) => entry.path === path);
  const entries = [...heir.entries, ...leaving.entries.filter((entry) => entry.shared && !has(entry.path))];
  return { ...heir, entries, createdUser: heir.createdUser ?? leaving.createdUser };
}
