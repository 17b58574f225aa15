/** Texts of the page. Times are shown in the zone of the reader, with the whole time as a title. */

/** `2025-11-24 11:00`, in the zone of the reader. */
export function timeText(time: string | number): string {
  const date = new Date(time)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

/** `just now`, `5 min ago`, `3 h ago`, `2 days ago`, or the day if it is longer ago. */
export function agoText(time: string, now: number): string {
  const minutes = Math.floor((now - Date.parse(time)) / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${minutes} min ago`
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`
  const days = Math.floor(minutes / (24 * 60))
  if (days <= 14) return `${days} ${days === 1 ? 'day' : 'days'} ago`
  return timeText(time).slice(0, 10)
}

/** The first lines of a text, at most `length` characters. */
export function shortened(text: string, length: number): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`
}
