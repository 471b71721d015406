package io.tidemill.model.engine;

import java.util.Collection;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * What files call tensors and we do not: written from the bare model they lack its prefix, old ones have old names, and
 * some tensors are no weights of this model.
 *
 * @param configFile what decides which tensors there are
 * @param isOfHead   names that never have the prefix
 * @param isLeftover tensors, by our names, that may be there and are not read
 */
record StoredNames(String configFile, String prefix, Predicate<String> isOfHead, Predicate<String> isLeftover) {
    static StoredNames of(ModelConfig config) {
        Family family = config.family();
        return new StoredNames(
                "config.json",
                family.tensorPrefix(),
                name -> name.startsWith("lm_head.") || name.startsWith("score."),
                name -> family.isLeftover(name) || config.tiedEmbeddings() && name.equals("lm_head.weight"));
    }

    static StoredNames of(EncoderConfig config) {
        return new StoredNames(
                "config.json",
                "bert.",
                name -> name.startsWith("cls.") || name.startsWith("classifier."),
                config::isLeftover);
    }

    static StoredNames ofAdapter() {
        return new StoredNames("adapter_config.json", LoraModule.PREFIX, name -> false, name -> false);
    }

    /** Their names by ours. */
    TreeMap<String, String> ours(Collection<String> theirs) {
        boolean bare = theirs.stream().noneMatch(name -> name.startsWith(prefix));
        TreeMap<String, String> ours = new TreeMap<>();
        for (String name : theirs) {
            String whole = bare && !isOfHead.test(name) ? prefix + name : name;
            ours.put(
                    whole.replace(".LayerNorm.gamma", ".LayerNorm.weight")
                            .replace(".LayerNorm.beta", ".LayerNorm.bias"),
                    name);
        }
        return ours;
    }
}
