// Where a dump goes as it is made: a file, or replicas.

export interface DumpSink {
  /** The first thing that went wrong. */
  readonly error: Error | null;
  /** Whether the snapshot should wait for onDrain. */
  readonly congested: boolean;
  /** Called when the sink takes more again, or has failed. */
  onDrain: () => void;
  write(chunk: Uint8Array): void;
  /** Everything has been written; kept when it is safe. */
  finish(): Promise<void>;
  discard(): void;
}
