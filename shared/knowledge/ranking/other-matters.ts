/**
 * Texts that have nothing to do with each other, nor with most questions: what an embedding model says about a
 * question and these is what it says about any two texts.
 */
export const otherMatters: readonly string[] = [
  'The glacier retreated by forty metres during the warm decade, leaving a lake behind its moraine.',
  'Whisk the egg yolks with sugar until pale, then fold in the melted chocolate and let it rest overnight.',
  'In the final minute the goalkeeper left her line, and the ball rolled slowly into the empty net.',
  'The cello sonata opens with a slow movement in a minor key before the piano takes up the theme.',
  'Parents are asked to collect their children from the kindergarten no later than half past four.',
  'The treaty of 1648 ended a war that had emptied whole provinces and redrew the borders of the empire.',
  'Tighten the four screws of the bracket evenly, and check that the wheel turns without touching the brake.',
  'Honeybees tell each other where flowers are by a dance whose angle stands for the direction of the sun.',
  'The defendant appealed on the ground that the notice had not been served within the statutory period.',
  'A recursive function calls itself with a smaller argument until it reaches the base case.',
  'The ferry to the island runs twice a day in winter, weather permitting, and takes bicycles free of charge.',
  'Take one tablet after each meal, and ask your doctor if the fever lasts for more than three days.',
  'Interest on the bond is paid every six months, and the principal falls due at the end of the tenth year.',
  'She painted the harbour at dusk, with long strokes of violet over a ground of burnt sienna.',
  'Water the seedlings sparingly until the first true leaves appear, then move them to larger pots.',
  'The telescope measures how the light of a distant star dims when a planet passes in front of it.',
  'His grandmother told the tale of a fox that learned to count and was never content again.',
  'Der Zug nach Süden hält wegen Bauarbeiten bis Ende des Monats nicht am alten Bahnhof.',
  'Les pommes de ce verger se conservent tout l’hiver dans une cave fraîche et sans lumière.',
  'El museo cierra los lunes, y los domingos por la mañana la entrada es gratuita para todos.',
];
