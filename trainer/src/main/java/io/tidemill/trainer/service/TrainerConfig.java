package io.tidemill.trainer.service;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.WeightType;
import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;
import io.tidemill.trainer.promotion.Policy;
import io.tidemill.trainer.promotion.PromotionSettings.Requires;
import io.tidemill.trainer.promotion.PromotionSettings.Undecided;
import io.tidemill.trainer.rollout.RewardGuard;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Everything the trainer can be told. Values out of range stop the start with a sentence that names them. */
@ConfigMapping(prefix = "trainer")
public interface TrainerConfig {
    /** Name of the model: key of topics, first part of versions. */
    @WithDefault("${tidemill.model:tidemill}")
    String model();

    /**
     * Names of several models that this process trains in turn, instead of the one. Each has all settings of trainer.* and, before
     * them, its own under trainers.NAME.*, such as trainers.small.adapter.rank=8.
     */
    Optional<List<String>> models();

    @WithDefault("${kafka.bootstrap.servers:localhost:9092}")
    String bootstrapServers();

    @WithDefault("${tidemill.topic-prefix:tidemill.}")
    String topicPrefix();

    /** Directory under which {@code store/} and {@code rounds/} stand. */
    @WithDefault("${tidemill.data:./tidemill-data}")
    String data();

    /** Of topics that the trainer creates. */
    @WithDefault("${tidemill.replication-factor:1}")
    short replicationFactor();

    /** Hugging Face directory that a new lineage starts from; the embedded base where absent. */
    Optional<String> baseModel();

    /** Base of the URL under which others fetch files from this service; it goes into the events. */
    @WithDefault("http://${quarkus.http.host:127.0.0.1}:${quarkus.http.port:8083}")
    String publicUrl();

    /** Threads of libtorch inside one operation; one less than there are processors, at least 1, where absent. */
    OptionalInt threads();

    /** Number type of the matrix products; the fastest that the processor has, where absent. */
    Optional<ComputeType> compute();

    /** Number type of the published weights. */
    @WithDefault("FLOAT32")
    WeightType publishedWeights();

    /** Makes orders and samples repeatable. */
    @WithDefault("1")
    long seed();

    /** Memory that the weights of a round must fit into; MiB. What the machine or the control group has left where absent. */
    OptionalLong memoryMegabytes();

    Round round();

    Pretrain pretrain();

    Sft sft();

    Preference preference();

    Rating rating();

    RewardModel rewardModel();

    Rollout rollout();

    /**
     * What judges answers of rollouts, by a name of its own: kind and its parameters, such as
     * trainer.rewards.brevity.kind=length. docs/rewards.md
     */
    Map<String, Map<String, String>> rewards();

    /** What judges them too, but is not learned from: the guard's second opinion. */
    Map<String, Map<String, String>> heldOutRewards();

    MaskedLm maskedLm();

    Classification classification();

    Adapter adapter();

    /**
     * Those that rounds have, of pretrain, sft, preference, rating, rollout, masked-lm and classification; all that suit the
     * model where absent. Examples of others are counted as without-objective.
     */
    Optional<List<String>> stages();

    /** By the name that producers give, "unnamed" for those that give none; what is not named here counts fully. */
    Map<String, Source> sources();

    Feedback feedback();

    Replay replay();

    Anchor anchor();

    Gate gate();

    Store store();

    Promotion promotion();

    /** What becomes of a version that passed its gate: it serves at-once, as a canary, or when a person promotes it (by-hand). */
    interface Promotion {
        @WithDefault("at-once")
        Policy policy();

        /** How long a candidate waits for a person before it counts as refused; 0 waits for ever. */
        @WithDefault("0s")
        Duration patience();

        /** Of the conversations, that a canary answers. */
        @WithDefault("0.1")
        double canaryShare();

        /** Chance of promoting a canary that is too bad, and of rolling back one that is not. */
        @WithDefault("0.05")
        double canaryAlpha();

        /** How much worse a canary's mean score (0 to 1; of thumbs, the share that are up) may be than the champion's. */
        @WithDefault("0.1")
        double canaryMargin();

        /** What is to be shown of a canary: non-inferiority (not worse by the margin) or superiority. */
        @WithDefault("non-inferiority")
        Requires canaryRequires();

        /** Ratings that either arm must have before anything is decided. */
        @WithDefault("20")
        long canaryMinimumRatings();

        /** After which a canary is decided without evidence. */
        @WithDefault("24h")
        Duration canaryPatience();

        /** What becomes of a canary of which nothing was shown: roll-back or promote. */
        @WithDefault("roll-back")
        Undecided canaryUndecided();
    }

    /** When a round starts, and how much goes into one. */
    interface Round {
        /** New pairs and ratings that start a round. */
        @WithDefault("200")
        long minimumPreferences();

        /** New token sequences and prompts that start a round. */
        @WithDefault("200")
        long minimumSequences();

        /** Anything new that has waited so long starts a round. */
        @WithDefault("10m")
        Duration maximumWait();

        /** Anything new starts a round so long after the last one. */
        Optional<Duration> interval();

        /**
         * Length of a window of event time, such as 1d: one round trains on one window, when it is over, and none of the above
         * starts any. For backfills, that are then learned day by day.
         */
        Optional<Duration> eventWindow();

        /** A window is over when something that happened so long after its end has come. */
        @WithDefault("1h")
        Duration eventGrace();

        /** When no round starts by itself: 22:00-06:00, or with a zone, 22:00-06:00 Europe/Berlin; UTC without. */
        Optional<String> quietHours();

        /** Of each stage; the oldest first, the rest waits. */
        @WithDefault("5000")
        long maximumExamples();

        /** Of each stage of token sequences. */
        @WithDefault("1000000")
        long maximumTokens();

        /** Steps between two saved states of a stage. */
        @WithDefault("100")
        int saveEvery();

        /**
         * How far the log-probabilities that the gateway logged may be from computed ones, to stand for the reference's; nats
         * per token. 0 computes all.
         */
        @WithDefault("0.01")
        double loggedReferences();

        /** Records that are counted while they wait. */
        @WithDefault("200000")
        int waitingCapacity();

        /** How long the broker may be silent while a slice is read. */
        @WithDefault("60s")
        Duration patience();

        /** Pause before trying again after a failure. */
        @WithDefault("5s")
        Duration retry();
    }

    /** Continued pretraining on documents. */
    interface Pretrain {
        /** Peak of the schedule. */
        @WithDefault("3e-4")
        double learningRate();

        /** Share of the stage's steps in which the rate rises. */
        @WithDefault("0.1")
        double warmupShare();

        @WithDefault("COSINE")
        Decay decay();

        /** Rows of a micro-batch. */
        @WithDefault("8")
        int rows();

        /** Positions of a row; tokens. */
        @WithDefault("256")
        int length();

        /** Micro-batches of a step. */
        @WithDefault("1")
        int microBatches();

        @WithDefault("1")
        int epochs();

        @WithDefault("1.0")
        double maximumGradientNorm();

        @WithDefault("0.01")
        double weightDecay();
    }

    /** Supervised fine-tuning on conversations. */
    interface Sft {
        /** Peak of the schedule. */
        @WithDefault("1e-4")
        double learningRate();

        /** Share of the stage's steps in which the rate rises. */
        @WithDefault("0.1")
        double warmupShare();

        @WithDefault("COSINE")
        Decay decay();

        /** Rows of a micro-batch. */
        @WithDefault("8")
        int rows();

        /** Positions of a row; tokens. A longer conversation is cut. */
        @WithDefault("256")
        int length();

        /** Micro-batches of a step. */
        @WithDefault("1")
        int microBatches();

        @WithDefault("1")
        int epochs();

        @WithDefault("1.0")
        double maximumGradientNorm();

        @WithDefault("0.0")
        double weightDecay();
    }

    /** Learning from pairs of answers. */
    interface Preference {
        /** dpo, ipo, hinge, robust, simpo, orpo or cpo: docs/objectives.md. */
        @WithDefault("dpo")
        String objective();

        /**
         * Of the objective, by name: docs/objectives.md. Without any, dpo has beta 0.3 and supervised-weight 1, which suit
         * small models; every other objective has its paper's or TRL's.
         */
        Map<String, String> parameters();

        /** Peak of the schedule. The default suits models of some million parameters; larger ones want 1e-6 to 5e-5. */
        @WithDefault("1.5e-4")
        double learningRate();

        /** Share of the stage's steps in which the rate rises. */
        @WithDefault("0.1")
        double warmupShare();

        @WithDefault("LINEAR")
        Decay decay();

        /** Pairs of a step. */
        @WithDefault("16")
        int pairs();

        @WithDefault("1")
        int epochs();

        @WithDefault("1.0")
        double maximumGradientNorm();

        @WithDefault("0.0")
        double weightDecay();
    }

    /** Learning from answers that were rated one by one. */
    interface Rating {
        /** kto, bco or another for single ratings (docs/objectives.md), or none: then they are counted, not learned. */
        @WithDefault("kto")
        String objective();

        /**
         * Of the objective, by name: docs/objectives.md. Without any, kto has beta 0.3 and desirable-weight 1.33, with which
         * small models learn (docs/experiments.md).
         */
        Map<String, String> parameters();

        /** Peak of the schedule. */
        @WithDefault("1e-4")
        double learningRate();

        /** Share of the stage's steps in which the rate rises. */
        @WithDefault("0.1")
        double warmupShare();

        @WithDefault("LINEAR")
        Decay decay();

        /** Answers of a step. */
        @WithDefault("16")
        int answers();

        @WithDefault("1")
        int epochs();

        @WithDefault("1.0")
        double maximumGradientNorm();

        @WithDefault("0.0")
        double weightDecay();
    }

    /**
     * A reward model, trained on a round's pairs before the model itself learns. It stands in reward-model/ beside the
     * version, and goes on from the parent's.
     */
    interface RewardModel {
        @WithDefault("false")
        boolean enabled();

        /** Of the objective reward, by name: docs/objectives.md. */
        Map<String, String> parameters();

        /** Peak of the schedule. */
        @WithDefault("1e-4")
        double learningRate();

        /** Share of the stage's steps in which the rate rises. */
        @WithDefault("0.1")
        double warmupShare();

        @WithDefault("LINEAR")
        Decay decay();

        /** Pairs of a step. */
        @WithDefault("16")
        int pairs();

        @WithDefault("1")
        int epochs();

        @WithDefault("1.0")
        double maximumGradientNorm();

        @WithDefault("0.0")
        double weightDecay();
    }

    /** Learning from answers that the model gives itself to the records of the prompts topic, judged by trainer.rewards. */
    interface Rollout {
        /**
         * ppo, grpo, dr-grpo, dapo, gspo, rloo, reinforce-plus-plus, online-dpo, rejection-sampling (docs/objectives.md), or
         * none: then prompts are left in the log.
         */
        @WithDefault("none")
        String algorithm();

        /** Of the algorithm, by name: docs/objectives.md. */
        Map<String, String> parameters();

        /** Peak of the schedule. */
        @WithDefault("2e-5")
        double learningRate();

        /** Share of the stage's steps in which the rate rises. */
        @WithDefault("0.1")
        double warmupShare();

        @WithDefault("CONSTANT")
        Decay decay();

        /** Prompts that are answered before a step. */
        @WithDefault("16")
        int prompts();

        /** Answers to each prompt. */
        @WithDefault("8")
        int answers();

        /** Steps that one pass over the answers makes. */
        @WithDefault("1")
        int miniBatches();

        /** Passes over the answers before others are drawn. */
        @WithDefault("1")
        int passes();

        /** How often prompts from whose answers nothing can be learned are replaced by others. */
        @WithDefault("0")
        int refills();

        /** Whether groups of equal rewards are such: DAPO's dynamic sampling. */
        @WithDefault("false")
        boolean dropEqual();

        /** How often each prompt is asked. */
        @WithDefault("1")
        int epochs();

        /** Of an answer. */
        @WithDefault("128")
        int maxTokens();

        /** Answers that are written together. */
        @WithDefault("16")
        int atOnce();

        /** STOP refuses a round whose reward is earned in a way nobody meant, WARN tells it, OFF does not look. */
        @WithDefault("STOP")
        RewardGuard.Action guard();

        /** Divergence from the champion at which the guard speaks; nats per token. */
        @WithDefault("1.0")
        double guardKl();

        @WithDefault("1.0")
        double maximumGradientNorm();

        @WithDefault("0.0")
        double weightDecay();
    }

    /** Masked language modelling on documents, where the base is a BERT with that head. */
    interface MaskedLm {
        /** Peak of the schedule. */
        @WithDefault("5e-5")
        double learningRate();

        /** Share of the stage's steps in which the rate rises. */
        @WithDefault("0.1")
        double warmupShare();

        @WithDefault("LINEAR")
        Decay decay();

        /** Of a step. */
        @WithDefault("16")
        int texts();

        /** Texts that go through the model in one call. */
        @WithDefault("8")
        int rows();

        /** Of a text; tokens, special ones included. A longer document is cut between words. */
        @WithDefault("128")
        int length();

        @WithDefault("1")
        int epochs();

        /** Share of tokens, or of words, that are masked. */
        @WithDefault("0.15")
        double probability();

        /** Mask words, all of their tokens, instead of tokens. */
        @WithDefault("false")
        boolean wholeWords();

        @WithDefault("1.0")
        double maximumGradientNorm();

        @WithDefault("0.01")
        double weightDecay();
    }

    /** Classification of labelled demonstrations, where the base is a BERT: one with labels, or with labels set here. */
    interface Classification {
        /** What a new lineage tells apart, in the order of the logits; the base's own labels where absent. */
        Optional<List<String>> labels();

        /**
         * single_label_classification, multi_label_classification or regression; where absent, what is usual for that many
         * labels: one is a score, several are one of them.
         */
        Optional<String> problemType();

        /** balanced, or a number a label; all alike where absent. */
        Optional<List<String>> classWeights();

        /** Peak of the schedule. */
        @WithDefault("2e-5")
        double learningRate();

        /** Share of the stage's steps in which the rate rises. */
        @WithDefault("0.1")
        double warmupShare();

        @WithDefault("LINEAR")
        Decay decay();

        /** Of a step. */
        @WithDefault("16")
        int texts();

        /** Texts that go through the model in one call. */
        @WithDefault("8")
        int rows();

        /** Of a text; tokens, special ones included. A longer text is cut at its end. */
        @WithDefault("128")
        int length();

        @WithDefault("3")
        int epochs();

        @WithDefault("1.0")
        double maximumGradientNorm();

        @WithDefault("0.01")
        double weightDecay();
    }

    /**
     * A low-rank adapter, trained by all stages on the frozen champion instead of all weights. What is judged and served is
     * the merged model; the adapter stands beside it.
     */
    interface Adapter {
        /** r of LoRA; 0 trains all weights. Adapters want learning rates some ten times as high. */
        @WithDefault("0")
        int rank();

        /** α of LoRA. */
        @WithDefault("16")
        double alpha();

        /** Divide α by the root of the rank instead of the rank. */
        @WithDefault("false")
        boolean rankStabilized();

        /** Names of linear layers, such as q_proj,v_proj; all of the blocks where absent. */
        Optional<List<String>> targetModules();
    }

    /** How much of a source counts. */
    interface Source {
        /** Multiplied with each example's own; 0 trains on none of it, and measures by none of it. */
        @WithDefault("1")
        double weight();

        /** Of its examples that are trained on, chosen by their ids. */
        @WithDefault("1")
        double share();
    }

    /** How old the answers may be that feedback is about. */
    interface Feedback {
        /** Feedback on answers of versions that are further behind the champion is stale; versions. No limit where absent. */
        OptionalLong maximumAge();

        /** Weights are multiplied with it once a version of age. */
        @WithDefault("1")
        double decay();
    }

    /** Examples of earlier rounds that are learned once more, against forgetting. */
    interface Replay {
        /** Of the examples of each stage: 0.1 is one to nine new ones. */
        @WithDefault("0")
        double share();

        /** Slices of earlier rounds that are read for it at most. */
        @WithDefault("4")
        int slices();
    }

    /** What holds a round to its champion, against forgetting. */
    interface Anchor {
        /** How fast weights are pulled back to the champion's: by so much of the way, times the learning rate, a step. */
        @WithDefault("0")
        double l2();

        /** Weight of the divergence from the champion's next token in pretrain and sft; nats beside nats. */
        @WithDefault("0")
        double kl();
    }

    /** How a candidate is judged. */
    interface Gate extends GatePolicyConfig {
        /** Threads that score at once; where absent trainer.threads, and without that as many as there are processors. */
        OptionalInt threads();

        /** Accepted rise of the held-out loss; nats per token. */
        @WithDefault("0.02")
        double heldOutMargin();

        /** Accepted rise of the loss on the base model's own held-out text; nats per token. */
        @WithDefault("0.10")
        double oldDataMargin();

        /** Accepted fall of preference accuracy with maximum-pairs pairs; share of pairs. With n it is √(maximum-pairs / n) as much. */
        @WithDefault("0.03")
        double preferenceMargin();

        /**
         * Accepted fall of how far preferred answers are ahead; nats per token. With 0 it is told, but decides nothing: honest
         * corrections of what the model gets wrong lower it too. docs/gate.md
         */
        @WithDefault("0")
        double preferenceGapMargin();

        /** Accepted fall of a classifier's accuracy with maximum-sequences texts; share of texts. With n it is √(maximum-sequences / n) as much. */
        @WithDefault("0.03")
        double labelMargin();

        /** Accepted rise of a classifier's held-out loss; nats per text, or for several labels per label, or a squared error. */
        @WithDefault("0.1")
        double labelLossMargin();

        /** Version that candidates are compared with beside the champion, against slow drift; the lineage's first where absent. */
        Optional<String> pinned();

        /** Margins of that comparison, as multiples of those above. */
        @WithDefault("5")
        double pinnedMargins();

        /** A loss suite with fewer windows is told, but decides nothing. */
        @WithDefault("20")
        int minimumWindows();

        /** A preference suite with fewer pairs is told, but decides nothing: it could show no margin worth having. */
        @WithDefault("200")
        int minimumPairs();

        /** A classifier's suite with fewer texts is told, but decides nothing. */
        @WithDefault("200")
        int minimumTexts();

        /** Held-out windows, or texts, kept at most. */
        @WithDefault("500")
        int maximumSequences();

        /**
         * Predicted tokens of a decoder's window at most; where absent as many as a row of pretraining has. Shorter ones are scored
         * sooner, and as many of them show less: their mean loss varies more.
         */
        OptionalInt window();

        /** Windows of old data. */
        @WithDefault("150")
        int maximumOldData();

        /** Held-out pairs kept at most. */
        @WithDefault("1500")
        int maximumPairs();

        /** JSONL with a "text" a line, instead of the embedded base's held-out text. */
        Optional<String> oldData();

        /** Of the paired bootstrap. */
        @WithDefault("2000")
        int resamples();

        /** Highest chance of letting a candidate through that is worse by a margin. */
        @WithDefault("0.05")
        double alpha();
    }

    /** What stays on disk. */
    interface Store {
        /** Newest versions that keep their weights; the live one, its parent, the base and the pinned one always do. */
        @WithDefault("10")
        int keep();

        /** How old a version may be that keeps its weights, such as P30D; any age where absent. */
        Optional<Duration> keepFor();

        /**
         * File with an Ed25519 private key in PKCS#8 PEM, as openssl genpkey -algorithm ed25519 writes it; versions are signed
         * with it from then on, unsigned where absent.
         */
        Optional<String> signingKey();

        /**
         * File with a private key on P-256, P-384 or P-521 in PKCS#8 PEM, as openssl genpkey -algorithm EC writes it; versions
         * have a model.sig in the OpenSSF model-signing format from then on, none where absent.
         */
        Optional<String> modelSigningKey();

        /**
         * Whether a version comes with deltas of its weights against its parent's, where they are at most half as long: who has
         * the parent fetches fewer bytes. Costs time between gate and announcement: about 2 s for 15 MB.
         */
        @WithDefault("false")
        boolean deltas();
    }
}
