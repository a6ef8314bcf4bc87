# Sourced by the scripts in the folders beside it: the repository as the working folder, its program, and the data.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PATH="$PWD/.venv/bin:$PATH"
if [ -z "${OMNISHOT_DATA:-}" ] && [ -d ../shared/omniglot ]; then # Data beside the checkout.
    OMNISHOT_DATA=$(cd ../shared && pwd)
    export OMNISHOT_DATA
fi
