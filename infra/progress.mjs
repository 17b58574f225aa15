import { AsyncLocalStorage } from 'node:async_hooks'
import { clearInterval, setInterval } from 'node:timers'

/** Milliseconds between two lines about a running step, if the output is not a terminal. */
const STILL_MS = 30_000
const UPDATE_MS = 1_000
const CLEAR = '\r\x1b[2K'

/** The number of the part of the set-up to which a step belongs, and the number of parts. */
const part = new AsyncLocalStorage()

/**
 * Runs a part of the set-up. Its steps are shown with its number.
 * @template T
 * @param {number} number from 1 on
 * @param {number} count
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export function inPart(number, count, work) {
  return part.run(`[${number}/${count}] `, work)
}

/**
 * Shows the steps of the set-up. Several may run side by side. On a terminal one line is kept up to
 * date; elsewhere a line is written when a step begins and ends, and every 30 seconds in between.
 */
export class Progress {
  #running = new Set()
  #timer
  #stream
  #everyMs

  /**
   * @param {{ isTTY?: boolean, columns?: number, write(text: string): unknown }} stream
   * @param {number} [everyMs] milliseconds between two updates
   */
  constructor(stream, everyMs = stream.isTTY ? UPDATE_MS : STILL_MS) {
    this.#stream = stream
    this.#everyMs = everyMs
  }

  /**
   * @param {string} line
   */
  say(line) {
    this.#stream.write(`${this.#stream.isTTY ? CLEAR : ''}zeroshift: ${line}\n`)
    this.#show()
  }

  /**
   * @template T
   * @param {string} title the name of the step, and its usual duration
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  async step(title, work) {
    const step = { name: `${part.getStore() ?? ''}${title}`, began: performance.now() }
    this.#begin(step)
    try {
      const result = await work()
      this.#end(step, 'done in')
      return result
    } catch (error) {
      this.#end(step, 'failed after')
      throw error
    }
  }

  #begin(step) {
    this.#running.add(step)
    if (this.#stream.isTTY) this.#show()
    else this.say(step.name)
    this.#timer ??= setInterval(() => this.#update(), this.#everyMs)
  }

  #end(step, how) {
    this.#running.delete(step)
    if (this.#running.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
    this.say(`${step.name}: ${how} ${((performance.now() - step.began) / 1000).toFixed(1)} s`)
  }

  #update() {
    if (this.#stream.isTTY) this.#show()
    else for (const step of this.#running) this.say(`${step.name}: ${this.#seconds(step)} so far`)
  }

  /** Returns the line that a terminal shows. */
  #show() {
    if (!this.#stream.isTTY || this.#running.size === 0) return
    const steps = [...this.#running].map((step) => `${step.name} ... ${this.#seconds(step)}`)
    const line = `zeroshift: ${steps.join(' | ')}`
    this.#stream.write(`${CLEAR}${line.slice(0, (this.#stream.columns ?? 80) - 1)}`)
  }

  #seconds({ began }) {
    return `${Math.round((performance.now() - began) / 1000)} s`
  }
}
