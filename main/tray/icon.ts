import { assertNever } from '../system/never.ts'
import { encodePng } from './png.ts'
import { octagon, shield, stroke, triangle, union } from './shapes.ts'
import type { Shape } from './shapes.ts'
import type { TrayIcon } from './state.ts'

interface Drawing {
  readonly body: Shape
  readonly bodyColour: Colour
  readonly sign: Shape
  readonly signColour: Colour
}

type Colour = readonly [red: number, green: number, blue: number]

const white: Colour = [255, 255, 255]

/** Each state has a shape and a sign of its own, so that nobody needs the colours; they are legible on light and dark panels. */
function drawingOf(icon: TrayIcon): Drawing {
  switch (icon) {
    case 'idle':
      return { body: shield, bodyColour: [22, 138, 108], sign: union(stroke(0.31, 0.5, 0.45, 0.64, 0.12), stroke(0.45, 0.64, 0.69, 0.36, 0.12)), signColour: white }
    case 'working':
      return { body: shield, bodyColour: [36, 112, 214], sign: union(stroke(0.5, 0.3, 0.5, 0.72, 0.12), stroke(0.5, 0.3, 0.32, 0.48, 0.12), stroke(0.5, 0.3, 0.68, 0.48, 0.12)), signColour: white }
    case 'paused':
      return { body: shield, bodyColour: [108, 117, 130], sign: union(stroke(0.4, 0.36, 0.4, 0.64, 0.12), stroke(0.6, 0.36, 0.6, 0.64, 0.12)), signColour: white }
    case 'warning':
      return { body: triangle, bodyColour: [240, 169, 26], sign: union(stroke(0.5, 0.38, 0.5, 0.58, 0.12), stroke(0.5, 0.74, 0.5, 0.74, 0.13)), signColour: [43, 30, 3] }
    case 'error':
      return { body: octagon, bodyColour: [208, 48, 48], sign: union(stroke(0.36, 0.36, 0.64, 0.64, 0.13), stroke(0.64, 0.36, 0.36, 0.64, 0.13)), signColour: white }
    default:
      return assertNever(icon)
  }
}

/** The icon as size × size × 4 bytes of RGBA, not premultiplied, with soft edges. */
export function drawIcon(icon: TrayIcon, size: number): Uint8Array {
  const { body, bodyColour, sign, signColour } = drawingOf(icon)
  const pixels = new Uint8Array(size * size * 4)
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const [x, y] = [(column + 0.5) / size, (row + 0.5) / size]
      const mix = coverage(sign(x, y), size)
      const colour = bodyColour.map((channel, at) => Math.round(channel + ((signColour[at] ?? 0) - channel) * mix))
      pixels.set([...colour, Math.round(coverage(body(x, y), size) * 255)], (row * size + column) * 4)
    }
  }
  return pixels
}

/** How much of a pixel lies inside an edge at this distance. */
function coverage(distance: number, size: number): number {
  return Math.min(1, Math.max(0, 0.5 - distance * size))
}

/** The icon as PNG, ready to be shown. */
export function iconPng(icon: TrayIcon, size: number): Buffer {
  return encodePng(drawIcon(icon, size), size)
}
