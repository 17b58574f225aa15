import type { TooltipHandler } from 'vega'
import { tooltipLines } from './tooltip-lines.ts'

/** The box beside the pointer that shows the values of a mark. */
export function chartTooltip(): { readonly show: TooltipHandler; readonly remove: () => void } {
  const box = document.createElement('div')
  box.className = 'tip'
  box.hidden = true
  document.body.append(box)
  return {
    show(_handler, event, _item, value: unknown) {
      const lines = tooltipLines(value)
      box.hidden = lines.length === 0
      if (lines.length === 0) return
      box.replaceChildren(
        ...lines.map((line) => {
          const paragraph = document.createElement('p')
          paragraph.textContent = line
          return paragraph
        }),
      )
      const { left, right } = box.getBoundingClientRect()
      const half = (right - left) / 2
      const x = Math.min(Math.max(half + 8, event.clientX), document.documentElement.clientWidth - half - 8)
      const isLow = event.clientY > innerHeight - 120
      box.classList.toggle('above', isLow)
      box.style.left = `${x}px`
      box.style.top = `${event.clientY + (isLow ? -12 : 16)}px`
    },
    remove() {
      box.remove()
    },
  }
}
