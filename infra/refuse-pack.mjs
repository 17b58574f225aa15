/** Ends `npm pack` in a checkout, whose archive would contain the tests and lack the build. */
process.stderr.write(
  'A package of the checkout itself has no build. Make the package with `npm run package`, which writes zeroshift-VERSION.tgz here.\n',
)
process.exit(1)
