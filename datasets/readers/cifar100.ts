import { inspectCifar, readCifar, type CifarFile, type CifarLayout } from '../cifar.ts'
import type { DatasetReader, DataSpecOf, PublishedFile } from '../dataset.ts'

type Cifar100Spec = DataSpecOf<'cifar100'>

/** The first label byte of a record is the superclass, the second the class. */
const COARSE =
  words(`aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices
  household_furniture insects large_carnivores large_man-made_outdoor_things large_natural_outdoor_scenes
  large_omnivores_and_herbivores medium_mammals non-insect_invertebrates people reptiles small_mammals trees vehicles_1
  vehicles_2`)
const FINE =
  words(`apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel
  can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant
  flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree
  motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy
  porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel
  streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
  willow_tree wolf woman worm`)

const FILES: readonly CifarFile[] = (['train', 'test'] as const).map((set) => ({
  name: `${set}.bin`,
  set,
  path: 'data.name',
}))

const ARCHIVE: PublishedFile = {
  url: 'https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz',
  bytes: 168_513_733,
  sha256: '58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec',
}

/** CIFAR-100 in its official binary layout (Krizhevsky 2009). */
export const reader: DatasetReader<Cifar100Spec> = {
  defaultLocation: () => ({ kind: 'published', files: [ARCHIVE], members: FILES.map(({ name }) => name) }),
  isDataFile: (_, name) => FILES.some((file) => file.name === name),
  inspect: (spec, directory) => inspectCifar(layoutOf(spec), FILES, directory),
  read: (spec, directory) => readCifar(layoutOf(spec), FILES, directory),
}

function layoutOf({ name, labels }: Cifar100Spec): CifarLayout {
  return labels === 'fine'
    ? { name, labelBytes: 2, label: 1, classes: FINE }
    : { name, labelBytes: 2, label: 0, classes: COARSE }
}

function words(text: string): readonly string[] {
  return text.split(/\s+/)
}
