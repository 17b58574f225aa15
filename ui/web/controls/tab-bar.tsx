interface Tab {
  readonly title: string
  readonly href: string
  readonly isCurrent: boolean
}

/** Links to the parts of a view. `label` is the accessible name. */
export function TabBar({ label, tabs }: { readonly label: string; readonly tabs: readonly Tab[] }) {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map(({ title, href, isCurrent }) => (
        <a key={title} href={href} aria-current={isCurrent ? 'page' : undefined}>
          {title}
        </a>
      ))}
    </nav>
  )
}
