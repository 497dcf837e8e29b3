# What every version of greet does, whatever it says.
set -eu
said=$(greet World)
echo "$PIXI_ENVIRONMENT_NAME: $said"
case $said in
    *", World"?) ;;
    *) echo "greet does not name the world" >&2; exit 1 ;;
esac
