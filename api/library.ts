export function plan(): string {
  return 'plan'
}
