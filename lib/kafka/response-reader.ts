/** Larger than any response that we ask for, smaller than what the first bytes of HTTP or of a TLS alert read as. */
const MAX_RESPONSE_BYTES = 0x1000_0000;
const SIZE_BYTES = 4;
export const CORRELATION_BYTES = 4;
const SCRATCH_BYTES = 64 * 1024;

/**
 * Where a connection's bytes are read into, and the responses that they make up. A large response is read straight into
 * a buffer of its size, by reads as large as what the socket has: neither 64 KB chunks nor a copy to join them.
 */
export class ResponseReader {
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  /** Bytes in `scratch` of a response whose rest is not there yet. */
  #held = 0;
  #response: Buffer | undefined;
  #filled = 0;

  /** Where to put the next bytes. */
  space(): Buffer {
    return this.#response === undefined ? this.#scratch.subarray(this.#held) : this.#response.subarray(this.#filled);
  }

  /** `count` bytes were put there. Responses that they complete, without their size. Throws when they cannot be a Kafka broker's. */
  *responses(count: number): Generator<Buffer> {
    if (this.#response !== undefined) {
      this.#filled += count;
      if (this.#filled < this.#response.length) return;
      const response = this.#response;
      this.#response = undefined;
      yield response;
      return;
    }
    const end = this.#held + count;
    let position = 0;
    while (end - position >= SIZE_BYTES) {
      const size = this.#scratch.readUInt32BE(position);
      if (size < CORRELATION_BYTES || size > MAX_RESPONSE_BYTES)
        throw new Error(`answered with bytes that are not Kafka's protocol (a response of ${size} bytes)`);
      position += SIZE_BYTES;
      const response = Buffer.allocUnsafe(size);
      const there = this.#scratch.copy(response, 0, position, Math.min(end, position + size));
      position += there;
      if (there < size) {
        this.#response = response;
        this.#filled = there;
      } else {
        yield response;
      }
    }
    this.#held = this.#scratch.copy(this.#scratch, 0, position, end);
  }
}
