/** The types of the module `zeroshift`, for programs and for plug-ins. */

export * from './engine.ts'
export * from './index.ts'
