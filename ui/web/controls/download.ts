/** Offers a text or an image to the reader as a file. */
export function download(name: string, content: string | Blob, type = 'text/plain'): void {
  const blob = typeof content === 'string' ? new Blob([content], { type: `${type};charset=utf-8` }) : content
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has read the address by the next turn of its loop.
  setTimeout(() => {
    URL.revokeObjectURL(url)
  }, 0)
}

/** Returns a text as a part of a file's name. */
export function fileName(text: string): string {
  return text.replaceAll(/[^\p{Letter}\p{Number}.-]+/gu, '-').replaceAll(/^-+|-+$/g, '') || 'zeroshift'
}
