/** Whether a relative path, with slashes between folders, stays inside the directory. */
export function isSafeName(name: string): boolean {
  return name.split('/').every((part) => !['', '.', '..'].includes(part) && !/[\\\0]/.test(part))
}
