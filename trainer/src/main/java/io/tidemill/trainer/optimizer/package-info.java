/**
 * How far a step moves. In flows the number of a step; out flows its learning rate. Nothing is kept between steps, so a
 * restart needs the step's number alone.
 */
package io.tidemill.trainer.optimizer;
