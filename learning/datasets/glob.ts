/** Whether a relative path matches: `*` stands for anything within a name, `**` and a slash for any folders or none. */
export function matchesGlob(pattern: string): (path: string) => boolean {
  const source = pattern.replace(/\*\*\/|\*|[\\^$.+?()[\]{}|]/g, (part) => {
    if (part === '**/') return '(?:.*/)?'
    return part === '*' ? '[^/]*' : `\\${part}`
  })
  const expression = new RegExp(`^${source}$`)
  return (path) => expression.test(path)
}
