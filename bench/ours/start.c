/* SPDX-License-Identifier: MIT */
/*
 * Our side of `startup`: start BASE_URL: a runtime, a model and one completion, by the
 * library's public interface and the library as it is installed.
 */
#include <reeve.h>

#include <string.h>

static void on_done(struct reeve_completion *completion, int error, void *arg)
{
    int *failed = arg;

    *failed = error || strcmp(reeve_completion_text(completion, NULL), "Hello.") != 0;
}

int main(int argc, char **argv)
{
    struct reeve_runtime *runtime = NULL;
    struct reeve_transcript *transcript = NULL;
    struct reeve_model *model = NULL;
    struct reeve_completion *completion;
    struct reeve_completion_options co;
    struct reeve_model_options mo;
    int failed = 1;

    if (argc != 2 || reeve_runtime_new(NULL, NULL, &runtime))
        return 1;
    reeve_model_options_init(&mo);
    mo.name = "bench";
    mo.base_url = argv[1];
    reeve_completion_options_init(&co);
    co.stream = 0;
    co.on_done = on_done;
    co.arg = &failed;
    if (!reeve_model_new(runtime, &mo, &model) && !reeve_transcript_new(runtime, &transcript) &&
        !reeve_transcript_add(transcript, REEVE_ROLE_USER, "Hello?", 6)) {
        co.transcript = transcript;
        if (!reeve_complete(model, &co, &completion))
            reeve_runtime_run(runtime);
    }
    reeve_transcript_free(transcript);
    reeve_model_free(model);
    reeve_runtime_free(runtime);
    return failed;
}
