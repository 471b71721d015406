/**
 * What answers are worth. In flow answers with their prompts and what the prompt's author gave for judging them; out flows
 * a number each, with the parts that it is the sum of. Rules give the same number again for the same answer; an endpoint
 * need not, which is why rollouts keep what it said before anything is learned from it.
 */
package io.tidemill.trainer.reward;
