import type { Preparation } from './pretrained.ts'
import type { Shape } from './layers.ts'

/** What images of a size are resized to. The longer edge follows the shorter one, rounded down as image processors do. */
export function resizedTo([height, width]: Shape, { resize }: Preparation): readonly [number, number] {
  if (!resize) return [height, width]
  if ('to' in resize) return resize.to
  const { shortestEdge } = resize
  return height <= width
    ? [shortestEdge, Math.floor((shortestEdge * width) / height)]
    : [Math.floor((shortestEdge * height) / width), shortestEdge]
}

/** The shape of prepared images. `channels`: the model's; grey images are repeated in each. */
export function preparedShape(shape: Shape, preparation: Preparation, channels: number): Shape {
  const [height, width] = preparation.crop ?? resizedTo(shape, preparation)
  return [height, width, channels]
}
