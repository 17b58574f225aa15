/** Returns a size with three digits and powers of 1000, such as `512 B`, `3.2 kB` or `1.23 GB`. */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let power = 0
  while (value >= 999.5 && power < units.length - 1) {
    value /= 1000
    power++
  }
  const digits = power === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  return `${value.toFixed(digits)} ${units[power] ?? ''}`
}
