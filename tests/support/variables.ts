/**
 * Does work while this process has other environment variables, which its children inherit. Those
 * that are undefined are left out.
 */
export async function withVariables<T>(variables: NodeJS.ProcessEnv, work: () => Promise<T>): Promise<T> {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const)
  set(Object.entries(variables))
  try {
    return await work()
  } finally {
    set(before)
  }
}

function set(variables: readonly (readonly [string, string | undefined])[]): void {
  for (const [name, value] of variables)
    if (value === undefined) Reflect.deleteProperty(process.env, name)
    else process.env[name] = value
}
