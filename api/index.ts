export { plan } from './library.ts'
