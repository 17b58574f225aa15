import { expect, test } from 'vitest'
import { Density } from '../../../../../ui/web/drawing/density.ts'

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0)
const columnOf = ({ counts, height }: Density, x: number) => [...counts.slice(x * height, (x + 1) * height)]
const pixelAt = (pixels: Uint8ClampedArray, width: number, x: number, y: number) => [
  ...pixels.slice(4 * (y * width + x), 4 * (y * width + x + 1)),
]

test('a flat line has one pixel in each column, in parts where it lies between two', () => {
  const density = new Density(6, 5)
  density.line(1, 2.5, 5, 2.5)
  expect(columnOf(density, 0)).toEqual([0, 0, 0, 0, 0])
  expect(columnOf(density, 1)).toEqual([0, 0, 1, 0, 0])
  density.clear()
  density.line(0, 2.25, 6, 2.25, 2)
  expect(columnOf(density, 3)).toEqual([0, 0.5, 1.5, 0, 0])
})

test('a steep line covers all rows that it crosses, and a line at the edge only what is inside', () => {
  const steep = new Density(3, 30)
  steep.line(0, 0, 3, 30)
  expect(
    columnOf(steep, 1)
      .map((count, y) => (count > 0 ? y : -1))
      .filter((y) => y >= 0),
  ).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
  const edge = new Density(4, 4)
  edge.line(-2, 0, 9, 0)
  expect([0, 1, 2, 3].map((x) => sum(columnOf(edge, x)))).toEqual([0.5, 0.5, 0.5, 0.5])
})

test('a disc covers about its area', () => {
  const density = new Density(40, 40)
  density.disc(20, 20, 8)
  expect(sum(density.counts) / (Math.PI * 64)).toBeCloseTo(1, 1)
})

test('lines above each other are as opaque as if each were drawn', () => {
  const density = new Density(3, 3)
  density.line(0, 1.5, 1, 1.5)
  density.line(1, 1.5, 2, 1.5, 3)
  const pixels = new Uint8ClampedArray(4 * 9).fill(7)
  density.paint(pixels, [10, 20, 30], 0.5)
  expect(pixelAt(pixels, 3, 0, 1)).toEqual([10, 20, 30, 128])
  expect(pixelAt(pixels, 3, 1, 1)).toEqual([10, 20, 30, 223])
  expect(pixelAt(pixels, 3, 2, 2)).toEqual([0, 0, 0, 0])
  expect([density.width, density.height]).toEqual([3, 3])
})
