import { graphSetting } from '../tensorflow/device.ts'
import { openGateway, type Gateway } from './binding.ts'
import { Sessions } from './sessions.ts'
import { Step, type CompiledTrace } from './step.ts'

/** More traces than this of one function are not kept; those used last stay. */
const MOST_TRACES = 8

/** Functions that are called less often are not worth a graph, which takes as long as some ten calls to make. */
const FEWEST_CALLS = 24

let sessions: Sessions | undefined

/**
 * Runs a function of tensors as TensorFlow graphs. The function is ordinary code: it runs at every call, but its
 * operations are only recorded, and computed together at its end. It may therefore create tensors of numbers, use and
 * keep tensors from outside, dispose of them, and take other branches at other calls; it must not read the
 * numbers of a tensor that it computes. Every number that the function hands to TensorFlow is an input of the
 * graph, except for shapes and axes: these are constants, and a call with others gets a graph of its own.
 *
 * Results do not depend on earlier calls: the first call is computed by the graph too.
 */
export class Compiled {
  private traces: readonly CompiledTrace[] = []
  private gateway: Gateway | undefined

  /** `calls`: how often the function is called in all; it must not depend on where an earlier attempt left off. */
  constructor(calls: number) {
    const setting = graphSetting(process.env.ZEROSHIFT_GRAPHS)
    const isWorthIt = setting === 'always' || (setting === 'auto' && calls >= FEWEST_CALLS)
    this.gateway = isWorthIt ? openGateway() : undefined
  }

  /** Calls the function. Within another compiled function, it becomes part of that one. */
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

  /** The traces, the one used last first. */
  private keep(trace: CompiledTrace, cache: Sessions): void {
    if (this.traces[0] === trace) return
    const all = [trace, ...this.traces.filter((other) => other !== trace)]
    this.traces = all.slice(0, MOST_TRACES)
    for (const { session } of all.slice(MOST_TRACES)) cache.release(session)
  }
}
