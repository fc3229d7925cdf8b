// What a client gives an app, one at a time and in order.

/** `push` is given to the client as a callback; `take` waits for the next that came. */
export class Emissions {
  #come = [];
  #waiting = [];

  push = (value) => {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(value);
    else this.#come.push(value);
  };

  take() {
    if (this.#come.length > 0) return Promise.resolve(this.#come.shift());
    return new Promise((done) => this.#waiting.push(done));
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
