# fails: listed loaded
# after: the-machine-starts-again.sh
fault power {{machine}} off
sleep 90
