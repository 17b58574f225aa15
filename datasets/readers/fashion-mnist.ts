import { mnistReader } from '../mnist-family.ts'

export const reader = mnistReader('fashion-mnist')
