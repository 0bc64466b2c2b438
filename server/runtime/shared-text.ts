// What many clients get in the same round of the event loop, put together once. Subscribers of a channel mostly get the
// same messages in the same order: each keeps a place in a tree of texts in which a step is one more message, and whoever
// takes the same step as the one before finds it made.

export class SharedText {
  /** One character a byte. */
  readonly text: string;
  /** The step taken last from here. */
  private message = '';
  private next: SharedText | null = null;

  constructor(text: string) {
    this.text = text;
  }

  /** This text with a message behind it. */
  with(message: string): SharedText {
    if (this.next !== null && this.message === message) return this.next;
    this.message = message;
    this.next = new SharedText(this.text + message);
    return this.next;
  }

  /** Lets go of all that was put together from here. */
  forget(): void {
    this.message = '';
    this.next = null;
  }
}
