/**
 * How a plug-in imports `zeroshift`. The bundle of a plug-in contains neither Zeroshift nor
 * TensorFlow: it takes each name from a registry of the process that executes it, so that there is
 * one instance of both. A command registers only what a module needs to declare its options, and a
 * worker registers everything.
 */

/** The key of the registry in `globalThis`. Bundles contain it, so that it must not change. */
export const REGISTRY = 'zeroshift.api.1'

const values = new Map<string, unknown>()

/** Makes names available to the modules that are imported from now on. */
export function register(names: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(names)) values.set(name, value)
  Reflect.set(globalThis, Symbol.for(REGISTRY), { get: registered })
}

function registered(name: string): unknown {
  return values.has(name) ? values.get(name) : unavailable(name)
}

/**
 * Returns a stand-in for a name that this process has not registered. A module may mention it while
 * it is loaded, also as a base class. A call of it throws.
 */
function unavailable(name: string): unknown {
  const refuse = () => {
    throw new Error(
      `${name} of 'zeroshift' is called without TensorFlow: while the module is loaded, or in a function that commands execute, too. ` +
        'Call it in a function that a worker alone executes',
    )
  }
  return new Proxy(class {}, {
    apply: refuse,
    construct: refuse,
    get: (target, property): unknown =>
      property === 'prototype' || typeof property === 'symbol'
        ? Reflect.get(target, property)
        : unavailable(`${name}.${property}`),
  })
}
