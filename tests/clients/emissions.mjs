// What a client gives an app, one at a time and in order.

/** After so long a client hangs. */
const PATIENCE = 30_000;

/** `push` is given to the client as a callback; `take` waits for the next that came. */
export class Emissions {
  #come = [];
  #waiting = [];

  push = (value) => {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(value);
    else this.#come.push(value);
  };

  async take() {
    if (this.#come.length > 0) return this.#come.shift();
    let guard;
    const come = new Promise((done, failed) => {
      this.#waiting.push(done);
      guard = setTimeout(() => failed(new Error(`nothing came for ${PATIENCE} ms`)), PATIENCE);
    });
    return await come.finally(() => clearTimeout(guard));
  }

  /** How many have come that nobody took. */
  get count() {
    return this.#come.length;
  }

  /** The next for which this holds; those before it are gone. */
  async until(holds) {
    for (;;) {
      const value = await this.take();
      if (holds(value)) return value;
    }
  }
}
