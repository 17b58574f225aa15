/** Whether a relative name, with slashes between folders, stays in the directory that it is relative to. */
export function isSafeName(name: string): boolean {
  return name.split('/').every((part) => !['', '.', '..'].includes(part) && !/[\\\0]/.test(part))
}
