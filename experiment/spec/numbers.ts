import { z } from 'zod'

/** Schemas of numbers that several sections of a config share. */

export const seed = z
  .int()
  .min(0)
  .max(2 ** 32 - 1)
export const fraction = z.number().gt(0).lt(1)
export const count = z.int().min(1)
export const positive = z.number().positive()
