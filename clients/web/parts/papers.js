/** What each paper is about, in a sentence, by its arXiv number. A bundle of another paper shows its own summary. */

const SENTENCES = {
  "1602.05110":
    "A network paints in steps, encoding what it has just added before it adds more; the discriminator that trains it judges the finished canvas.",
  "1511.06434":
    "The choice of strided convolutions and batch normalisation that made convolutional generators trainable against a discriminator.",
  "1704.00028":
    "A critic measures how far drawings are from data, and a penalty on its gradient keeps it smooth, so that many architectures train alike.",
  "1610.09585":
    "The generator is told which class to draw, and the discriminator has to name the class as well as tell drawings from data.",
  "1606.05328":
    "Every pixel is drawn given all pixels before it, by gated convolutions that see what is above and to the left, and nothing else.",
  "1611.05013":
    "A latent decides what is drawn and a small PixelCNN decides each pixel, so that the latent need not hold the texture.",
  "1502.04623":
    "An encoder looks at the picture through a small window, a decoder paints through another, and both are moved from step to step.",
  "1605.09782":
    "The discriminator sees a picture and a latent at once, so that fooling it teaches the encoder to undo the generator.",
  "1312.6114":
    "An encoder and a decoder learn together from a bound on the likelihood, whose gradient goes through the sampled latent.",
};

/** The sentence of a paper, or null where this page knows none. */
export function paperSentence(paper) {
  return SENTENCES[paper?.arxiv] ?? null;
}
