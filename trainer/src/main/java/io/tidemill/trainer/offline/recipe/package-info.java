/**
 * Recipes of runs over files. In flow a YAML file and flags; out flow the values of all keys, or everything that is wrong
 * with them. A restart reads them again, and a run in progress compares them with those that it began with.
 */
package io.tidemill.trainer.offline.recipe;
