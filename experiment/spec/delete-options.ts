import { z } from 'zod'
import { epochDefaults } from './method-options.ts'

/** The options of the method `delete`. */
export const deleteOptions = z.strictObject(epochDefaults(20, 128, { name: 'sgd', learningRate: 1e-4 }))

export const deleteAbout =
  'learns from the original without the true class, on the forget set alone (Zhou et al. 2025)'
