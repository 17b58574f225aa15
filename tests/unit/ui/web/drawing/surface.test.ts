import { expect, test } from 'vitest'
import { svgSurface } from '../../../../../ui/web/drawing/surface.ts'

test('a drawing as SVG has its texts escaped and its numbers short', () => {
  const { surface, svg } = svgSurface(100, 50, '#fff')
  surface.line(
    [
      { x: 0, y: 1 / 3 },
      { x: 10, y: 20 },
    ],
    { stroke: '#000', width: 1, dash: [4, 2] },
  )
  surface.text({ x: 1, y: 2 }, '<rank & "rate">', { fill: '#000', size: 11, align: 'right' })
  const text = svg()
  expect(text).toContain('points="0,0.33 10,20"')
  expect(text).toContain('stroke-dasharray="4 2"')
  expect(text).toContain('text-anchor="end"')
  expect(text).toContain('&lt;rank &amp; &quot;rate&quot;&gt;')
  expect(text).toMatch(/^<svg [^>]*font-family="[^"]+"[^>]*>.*<\/svg>$/)
})
