import { graphSetting } from '../tensorflow/device.ts'
import { openGateway, type Gateway } from './binding.ts'
import { Sessions } from './sessions.ts'
import { Step, type CompiledTrace } from './step.ts'

/**
 * The number of traces that are kept of one function, unless its calls have more shapes. The least
 * recently used are dropped.
 */
const MOST_TRACES = 8

/**
 * The number of calls from which a graph is worthwhile. Making one takes as long as about ten
 * calls.
 */
const FEWEST_CALLS = 24

let sessions: Sessions | undefined

/**
 * Runs a function of tensors as TensorFlow graphs. The function is ordinary code and runs at every
 * call, but its operations are only recorded. A graph computes them together at the end. The
 * function may create tensors from numbers, use, keep and dispose of other tensors, and take
 * different branches at different calls. It must not read the numbers of a tensor that it computes.
 * Every number that the function passes to TensorFlow is an input of the graph, except for shapes
 * and axes. These are constants, and a call with different ones gets another graph.
 *
 * Results do not depend on earlier calls: a graph computes the first call too.
 */
export class Compiled {
  private traces: readonly CompiledTrace[] = []
  private gateway: Gateway | undefined
  private readonly mostTraces: number

  /**
   * calls: how often the function will be called in all with the same shapes, on average. It must
   * not depend on where an earlier attempt stopped. shapes: how many combinations of shapes the
   * calls have, if that is known.
   */
  constructor(calls: number, shapes = 1) {
    this.mostTraces = Math.max(MOST_TRACES, shapes)
    const setting = graphSetting(process.env.ZEROSHIFT_GRAPHS)
    const isWorthIt = setting === 'always' || (setting === 'auto' && calls >= FEWEST_CALLS)
    this.gateway = isWorthIt ? openGateway() : undefined
  }

  /** Calls the function. Inside another compiled function, it becomes part of that one. */
  run<T>(f: () => T): T {
    const { gateway } = this
    if (!gateway || gateway.isActive) return f()
    const cache = (sessions ??= new Sessions(gateway.native))
    const step = new Step(gateway, this.traces)
    try {
      const result = gateway.during(step, f)
      const trace = step.finish(cache)
      if (trace) this.keep(trace, cache)
      else this.gateway = undefined
      return result
    } catch (error) {
      step.end()
      throw error
    }
  }

  /** Frees the graphs. */
  dispose(): void {
    for (const { session } of this.traces) sessions?.release(session)
    this.traces = []
  }

  /** Puts a trace first and drops the least recently used ones. */
  private keep(trace: CompiledTrace, cache: Sessions): void {
    if (this.traces[0] === trace) return
    const all = [trace, ...this.traces.filter((other) => other !== trace)]
    this.traces = all.slice(0, this.mostTraces)
    for (const { session } of all.slice(this.mostTraces)) cache.release(session)
  }
}
