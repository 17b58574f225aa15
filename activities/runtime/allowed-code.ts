/**
 * Whether the operator of this worker lets it execute code that comes with runs: plug-ins that no
 * command of the same user on this machine has bundled. It then runs with all rights of the worker.
 */
export function allowsExternal(env: NodeJS.ProcessEnv = process.env): boolean {
  return env.ZEROSHIFT_ALLOW_EXTERNAL === '1'
}
