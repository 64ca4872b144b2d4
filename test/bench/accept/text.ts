const text = `The mill stands where the brook leaves the wood, and its wheel has turned since before the road was laid.
In spring the water comes down brown and fast; the miller opens the sluice by a hand's breadth and listens to the
stones. Too slow and the meal is coarse, too fast and it scorches. By summer the race runs thin, and he grinds at
night, when the dew has filled the pond. People bring barley from the hill farms and rye from the low fields, each
sack marked with chalk, and they wait on the bench by the door while the flour falls warm into the bin. Nobody is
served before his turn, and nobody's grain is mixed with another's. When the frost comes the wheel is chained, the
ice is broken from its buckets with a pole, and the ledger is brought up to date: who came, what was ground, what is
still owed. In the evening the children count the turns of the wheel until they fall asleep over the sum.`;

const length = 200;

/** Messages of about 200 characters that begin at different places of one text, always the same. */
export const messages: string[] = Array.from({ length: 24 }, (_, index) => {
  const from = index * Math.floor((text.length - length) / 23);
  return text.slice(from, from + length).replaceAll('\n', ' ');
});
