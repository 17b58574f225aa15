import type { Preparation } from './pretrained.ts'
import type { Shape } from './layers.ts'

/**
 * The size [height, width] of images after resizing. If the shorter edge is given, the longer one
 * follows in proportion and is rounded down, as image processors do.
 */
export function resizedTo([height, width]: Shape, { resize }: Preparation): readonly [number, number] {
  if (!resize) return [height, width]
  if ('to' in resize) return resize.to
  const { shortestEdge } = resize
  return height <= width
    ? [shortestEdge, Math.floor((shortestEdge * width) / height)]
    : [Math.floor((shortestEdge * height) / width), shortestEdge]
}

/** The shape of prepared images. Grey images are repeated in each of the model's `channels`. */
export function preparedShape(shape: Shape, preparation: Preparation, channels: number): Shape {
  const [height, width] = preparation.crop ?? resizedTo(shape, preparation)
  return [height, width, channels]
}
